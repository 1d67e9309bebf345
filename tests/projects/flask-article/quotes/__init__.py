"""What a parcel costs, and how people and programs ask."""
