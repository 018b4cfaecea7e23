"""What is learned of tables: a file for each task, and the list of them."""
