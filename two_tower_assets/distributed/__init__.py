"""Fits, vectors and rankings by several workers: data-parallel steps over torch.distributed, and Ray around them.

`gather`, `step`, `replica` and `replica_state` know torch alone and run in any process group; `cluster`, `ray_fit`,
`shards` and `engine` are what Ray adds. Nothing here is imported unless `engine = "ray"`.
"""
