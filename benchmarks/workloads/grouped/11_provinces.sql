-- Cash taken out in each province, and how many customers took it
SELECT substr(outlet, 1, 2) AS province, count(*) AS withdrawals, sum(amount) AS amount,
       count(DISTINCT customer_id) AS customers
FROM transaction
WHERE type = 'cash_withdrawal'
GROUP BY substr(outlet, 1, 2)
ORDER BY province
