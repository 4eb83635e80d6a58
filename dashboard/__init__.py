"""What people see: the ward page and its live traces."""
