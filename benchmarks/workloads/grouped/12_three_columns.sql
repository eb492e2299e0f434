-- Type by channel by currency in the second half of the year, groups of a thousand and more
SELECT type, channel, currency, count(*) AS transactions, sum(amount) AS amount,
       avg(balance_after) AS average_balance
FROM transaction
WHERE booked_on >= DATE '2026-05-01'
GROUP BY type, channel, currency
HAVING count(*) >= 1000
ORDER BY type, channel, currency
