"""The main job, from a folder of pictures to a measured model and its report."""
