"""What starts runs: jobs, the nightly schedule, and sensors; all of it ready, and off until it is turned on."""
