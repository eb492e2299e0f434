-- Contacts whose note mentions a credit card, by reason
SELECT reason, count(*) AS contacts, avg(duration_seconds) AS average_seconds
FROM service_contact
WHERE note LIKE '%信用卡%'
GROUP BY reason
ORDER BY reason
