-- How many customers with a credit limit above 50,000 paid by card in October, and how much?
SELECT count(DISTINCT customer_id) AS customers, sum(amount) AS amount
FROM transaction
WHERE type = 'card_payment' AND booked_on >= DATE '2026-10-01'
  AND customer_id IN (SELECT customer_id FROM card
                      WHERE type = 'credit' AND credit_limit > 50000 AND status = 'active')
