-- What those who accepted an offer invested in the last quarter, by month
SELECT date_trunc('month', booked_on) AS month, count(DISTINCT customer_id) AS customers,
       sum(amount) AS invested
FROM transaction
WHERE type = 'investment_buy' AND booked_on >= DATE '2026-08-01'
  AND customer_id IN (SELECT customer_id FROM campaign_response WHERE response = 'accepted')
GROUP BY date_trunc('month', booked_on)
ORDER BY month
