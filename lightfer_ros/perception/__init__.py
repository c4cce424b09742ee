"""Frame → faces → expressions: the domain. NumPy, OpenCV and dlib; nothing of ROS."""
