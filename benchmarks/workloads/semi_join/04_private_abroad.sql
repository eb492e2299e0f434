-- Foreign currency transactions of private banking customers who bear risk
SELECT currency, type, count(*) AS transactions, sum(amount) AS amount
FROM transaction t
WHERE currency <> 'CNY'
  AND EXISTS (SELECT 1 FROM customer c
              WHERE c.customer_id = t.customer_id
                AND c.segment IN ('platinum', 'private') AND c.risk_level IN ('R4', 'R5'))
GROUP BY currency, type
ORDER BY currency, type
-- clickhouse:
SELECT currency, type, count(*) AS transactions, sum(amount) AS amount
FROM transaction
WHERE currency <> 'CNY'
  AND customer_id IN (SELECT customer_id FROM customer
                      WHERE segment IN ('platinum', 'private') AND risk_level IN ('R4', 'R5'))
GROUP BY currency, type
ORDER BY currency, type
