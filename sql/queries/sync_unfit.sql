-- Purpose: rows that cannot be kept, by reason.
select {counts} from {staged} as s
