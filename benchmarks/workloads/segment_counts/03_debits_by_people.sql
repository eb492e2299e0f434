-- How many debits were not made by the bank itself? (more than half of all rows)
SELECT count(*) AS debits
FROM transaction
WHERE direction = 'debit' AND NOT channel = 'batch'
