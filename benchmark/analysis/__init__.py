"""Why a network generalizes: what its layers make of images, measured and compared."""
