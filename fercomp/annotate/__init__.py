"""Faces and their emotions in pictures: sources give pictures, a recogniser decides, output writes."""
