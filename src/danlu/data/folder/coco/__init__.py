"""Pictures with regions drawn in them, as COCO annotates them (https://cocodataset.org/#format-data)."""
