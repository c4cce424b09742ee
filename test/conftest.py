"""What holds for every test: property-based tests are judged by their examples, not by the machine's mood."""

try:
    from hypothesis import settings
except ImportError:
    pass
else:
    settings.register_profile("lightfer", deadline=None, print_blob=True)
    settings.load_profile("lightfer")
