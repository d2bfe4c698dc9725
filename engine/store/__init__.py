"""What lasts of the owner's votes: the record that everything learned is derived from."""
