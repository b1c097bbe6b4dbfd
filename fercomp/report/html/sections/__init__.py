"""The sections of the page of `report`: what each shows, as elements."""
