-- Customers and their assets by segment and risk level
SELECT segment, risk_level, count(*) AS customers, sum(assets_total) AS assets,
       avg(deposit_balance) AS average_deposit
FROM customer
GROUP BY segment, risk_level
ORDER BY segment, risk_level
