-- How many transactions moved half a million or more?
SELECT count(*) AS very_large
FROM transaction
WHERE amount >= 500000
