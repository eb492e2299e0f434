-- How many customers lack an education, an occupation or a risk level? (a third of all)
SELECT count(*) AS customers
FROM customer
WHERE education IS NULL OR occupation IS NULL OR risk_level IS NULL
