"""Running notebooks: settings, records, execution, reports."""
