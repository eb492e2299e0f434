-- Large payments whose remark speaks of tuition
SELECT count(*) AS payments, sum(amount) AS amount, count(DISTINCT customer_id) AS customers
FROM transaction
WHERE memo LIKE '%学费%' AND amount >= 10000
