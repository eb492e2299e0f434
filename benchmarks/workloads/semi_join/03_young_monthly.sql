-- What customers under twenty-five spend by card, month by month
SELECT date_trunc('month', t.booked_on) AS month, count(*) AS payments, sum(t.amount) AS amount
FROM transaction t JOIN customer c ON t.customer_id = c.customer_id
WHERE c.birth_date > DATE '2001-10-31' AND t.type = 'card_payment'
GROUP BY date_trunc('month', t.booked_on)
ORDER BY month
