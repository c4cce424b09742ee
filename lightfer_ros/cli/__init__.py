"""The command `lightfer`: one module a subcommand, a face for the other rooms."""
