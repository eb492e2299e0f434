-- When one customer spoke with the bank, and why
-- group: cluster key
SELECT contacted_at, channel, reason, note
FROM service_contact
WHERE outlet = '{caller_outlet}' AND customer_id = '{caller}'
ORDER BY contacted_at, reason
