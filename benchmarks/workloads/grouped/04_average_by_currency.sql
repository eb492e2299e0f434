-- Average amount by currency and type, of transactions of 100 and more
SELECT currency, type, count(*) AS transactions, avg(amount) AS average
FROM transaction
WHERE amount >= 100
GROUP BY currency, type
ORDER BY currency, type
