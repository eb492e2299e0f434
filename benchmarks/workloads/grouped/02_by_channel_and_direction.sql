-- What comes in and what goes out through each channel, with the smallest and the largest?
SELECT channel, direction, count(*) AS transactions, sum(amount) AS amount,
       min(amount) AS smallest, max(amount) AS largest
FROM transaction
GROUP BY channel, direction
ORDER BY channel, direction
