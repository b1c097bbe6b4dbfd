"""What a person looks at: the health of an installation, plots and pages."""
