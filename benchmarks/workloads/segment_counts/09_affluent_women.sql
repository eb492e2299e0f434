-- How many married women of the upper segments, with a degree, bear more than average risk?
SELECT count(*) AS customers
FROM customer
WHERE gender = 'F'
  AND marital_status = 'married'
  AND segment IN ('gold', 'platinum', 'private')
  AND education IN ('bachelor', 'master', 'doctorate')
  AND risk_level IN ('R3', 'R4', 'R5')
