"""What goes into a network other than text: pictures, sounds, numbers, whatever a user prepares."""
