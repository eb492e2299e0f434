-- How many customers bought an investment since July?
SELECT count(DISTINCT customer_id) AS investors
FROM transaction
WHERE type = 'investment_buy' AND booked_on >= DATE '2026-07-01'
