-- Investments bought on the mobile phone from foreign currency accounts, by month and currency
SELECT date_trunc('month', booked_on) AS month, currency, count(*) AS buys, sum(amount) AS amount
FROM transaction
WHERE type = 'investment_buy' AND channel = 'mobile' AND currency <> 'CNY'
GROUP BY date_trunc('month', booked_on), currency
ORDER BY month, currency
