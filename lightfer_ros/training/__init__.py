"""FER2013 to trained weights: data, recipe, network, loop. Keras 3 on the torch backend."""
