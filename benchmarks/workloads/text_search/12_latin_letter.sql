-- How many names have a letter a? (one letter, one customer in six)
SELECT count(*) AS customers FROM customer WHERE name LIKE '%a%'
