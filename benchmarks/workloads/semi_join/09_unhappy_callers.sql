-- What customers who complained and were not content moved out of the bank
SELECT type, count(*) AS transactions, sum(amount) AS amount
FROM transaction
WHERE direction = 'debit'
  AND customer_id IN (SELECT customer_id FROM service_contact
                      WHERE reason = 'complaint' AND satisfaction <= 3)
GROUP BY type
ORDER BY type
