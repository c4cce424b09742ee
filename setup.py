"""The package lightfer_ros, for colcon and for pip alike."""

from glob import glob

from setuptools import find_packages, setup

NAME = "lightfer_ros"
SHARE = "share/" + NAME

setup(
    name=NAME,
    version="0.1.0",
    description="The facial expressions in front of a robot, in real time",
    license="Apache-2.0",
    author="LightFER maintainers",
    maintainer="LightFER maintainers",
    maintainer_email="maintainers@lightfer.example",
    python_requires=">=3.8",
    packages=find_packages(include=[NAME, NAME + ".*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + NAME]),
        (SHARE, ["package.xml"]),
        (SHARE + "/launch", glob("launch/*.launch.py")),
        (SHARE + "/config", glob("config/*.*")),
        (SHARE + "/models", glob("models/*.*")),
    ],
    install_requires=["setuptools"],
    # Ranges say what the code can stand; the versions we test with are pinned in requirements/.
    extras_require={
        "record": ["rosbags>=0.9"],
        "demo": ["rosbags>=0.9", "matplotlib"],
        "litert": ["ai-edge-litert>=2.0"],
        "benchmark": ["h5py", "onnx", "matplotlib", "scikit-image", "scipy"],
        "train": ["torch>=2.4", "keras>=3.3", "onnx", "h5py", "scikit-learn"],
    },
    entry_points={
        "console_scripts": [
            "lightfer=lightfer_ros.cli.main:main",
            "fetch=lightfer_ros.cli.fetch:main",
            "emotion_node=lightfer_ros.nodes.emotion_node:main",
            "camera_node=lightfer_ros.nodes.camera_node:main",
            "recorder=lightfer_ros.nodes.recorder:main",
        ],
    },
    zip_safe=True,
    # `ros2 run` looks for executables in lib/<package>. These are here and not in a setup.cfg, because old
    # pips, run in this folder, would take that for their own configuration and put every package's there.
    options={
        "develop": {"script_dir": "$base/lib/" + NAME},
        "install": {"install_scripts": "$base/lib/" + NAME},
    },
)
