-- A telephone number somewhere in a clerk's remark
SELECT customer_id, memo FROM customer WHERE memo LIKE '%{memo_digits}%' ORDER BY customer_id LIMIT 200
