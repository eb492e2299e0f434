-- How many customers with a known address live neither in a district nor in a county that has a river?
SELECT count(*) AS customers
FROM customer
WHERE address NOT LIKE '%河%' AND address NOT LIKE '%江%'
