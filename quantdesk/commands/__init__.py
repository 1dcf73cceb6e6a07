"""Run the program's sub-commands, each in a file of its own."""
