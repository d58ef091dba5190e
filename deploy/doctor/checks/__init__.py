"""One module for each thing that the doctor looks at; deploy/doctor/table.py has the list."""
