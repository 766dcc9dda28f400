-- A score is out of date by how often its values changed since (changes), not by when.
alter table icp_score drop column merged_at;
