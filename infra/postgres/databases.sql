-- Run once by the Postgres image, when its volume is new: Dagster's history lies beside the model's own database.
create database dagster;
