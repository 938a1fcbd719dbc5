"""What Django looks up by a language's code before its own formats (FORMAT_MODULE_PATH): one folder for a language."""
