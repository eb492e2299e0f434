-- The fifteen outlets with the highest average transfer, of those with a hundred and more
SELECT outlet, count(*) AS transfers, avg(amount) AS average
FROM transaction
WHERE type = 'transfer_out'
GROUP BY outlet
HAVING count(*) >= 100
ORDER BY average DESC, outlet
LIMIT 15
