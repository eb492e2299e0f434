-- Which outlets booked far more transactions than the average outlet?
SELECT outlet, count(*) AS transactions, sum(amount) AS amount
FROM transaction
GROUP BY outlet
HAVING count(*) > {outlet_rows_large}
ORDER BY outlet
