-- The twenty customers who paid most by card in the third quarter
SELECT customer_id, count(*) AS payments, sum(amount) AS total
FROM transaction
WHERE type = 'card_payment' AND booked_on BETWEEN DATE '2026-07-01' AND DATE '2026-09-30'
GROUP BY customer_id
ORDER BY total DESC, customer_id
LIMIT 20
