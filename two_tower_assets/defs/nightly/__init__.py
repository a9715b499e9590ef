"""The replay of past nights: a home of its own, the job `release` run in it night after night, and what to print."""
