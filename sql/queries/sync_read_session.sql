-- Purpose: how a source is read: times in UTC, nothing written, and no policy that hides rows.
set transaction isolation level repeatable read read only;
set local timezone = 'UTC';
set local datestyle = 'ISO';
set local row_security = off;
