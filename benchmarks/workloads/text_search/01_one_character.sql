-- How many customers have this character in their name?
SELECT count(*) AS customers FROM customer WHERE name LIKE '%伟%'
