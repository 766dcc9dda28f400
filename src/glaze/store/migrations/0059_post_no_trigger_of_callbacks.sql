-- The end of an attempt looks itself whether its job was woken meanwhile.
drop trigger job_called_back on job;
drop function callback_is_there();
alter table job_callback drop column taken_at;
