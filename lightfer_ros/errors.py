"""The few errors that LightFER raises on purpose; each says what was given and what was expected."""


class LightferError(Exception):
    """Any error that LightFER raises on purpose. Its text is fit to show to a user as it is."""


class ConfigurationError(LightferError, ValueError):
    """An option outside its range; the text names the option, the value given and the range."""


class ImageError(LightferError, ValueError):
    """A picture that cannot be used: unknown encoding, wrong length, zero size, corrupt data."""


class ModelError(LightferError):
    """A model file that is missing, truncated, of the wrong kind, or not the one its metadata describes."""


class RuntimeUnavailableError(LightferError):
    """An inference runtime or provider that cannot be used on this machine; the text says why."""


class DataError(LightferError, ValueError):
    """A data set or recording that cannot be read; the text names the file, the row and what was expected."""


class DownloadError(LightferError):
    """A file that could not be had, or is not the pinned one; the text gives both hashes."""


class SourceError(LightferError):
    """A camera, video or folder that cannot be opened, or that has stopped delivering pictures."""
